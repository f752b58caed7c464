import assert from "node:assert/strict";
import { test } from "node:test";
import { createShortWait } from "../../src/runtime/short-wait.ts";

function machine(processors: number) {
  let nowMs = 0;
  let turns: (() => void)[] = [];
  return {
    processors: () => processors,
    now: () => nowMs,
    nextTurn: (turn: () => void) => turns.push(turn),
    /** Lets time pass, then one turn of the event loop. */
    turnAfter(ms: number) {
      nowMs += ms;
      const due = turns;
      turns = [];
      for (const turn of due) turn();
    },
    get isAwake() {
      return turns.length > 0;
    },
  };
}

test("ShortWait sleeps as long as nobody has answered quickly", () => {
  const computer = machine(2);
  const wait = createShortWait(computer);
  wait.begin();
  assert.equal(computer.isAwake, false);
  computer.turnAfter(5);
  wait.end();
  wait.begin();
  assert.equal(computer.isAwake, false);
});

test("ShortWait stays awake for one that answered quickly, until it answers", () => {
  const computer = machine(2);
  const wait = createShortWait(computer);
  wait.begin();
  computer.turnAfter(0.05);
  wait.end();
  wait.begin();
  for (let turn = 0; turn < 3; turn++) {
    computer.turnAfter(0.01);
    assert.equal(computer.isAwake, true);
  }
  wait.end();
  computer.turnAfter(0.01);
  assert.equal(computer.isAwake, false);
});

test("ShortWait goes to sleep when the answer is late, and stays asleep the next time", () => {
  const computer = machine(2);
  const wait = createShortWait(computer);
  wait.begin();
  wait.end();
  wait.begin();
  computer.turnAfter(0.2);
  assert.equal(computer.isAwake, false);
  wait.end();
  wait.begin();
  assert.equal(computer.isAwake, false);
});

test("ShortWait turns once per turn of the loop, however often it begins", () => {
  let turns = 0;
  const wait = createShortWait({ processors: () => 2, now: () => 0, nextTurn: () => ++turns });
  for (let call = 0; call < 3; call++) {
    wait.begin();
    wait.end();
  }
  wait.begin();
  assert.equal(turns, 1);
});

test("ShortWait never keeps the only processor from the one that answers", () => {
  const computer = machine(1);
  const wait = createShortWait(computer);
  wait.begin();
  wait.end();
  wait.begin();
  assert.equal(computer.isAwake, false);
});
