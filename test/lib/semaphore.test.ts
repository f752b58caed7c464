import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type Place, Semaphore } from "../../src/lib/semaphore.ts";
import { FakeClock, settle } from "../fixtures/fake-clock.ts";

const never = new AbortController().signal;

describe("Semaphore", () => {
  test("acquire queues first come first served and release hands the place on", async () => {
    const semaphore = new Semaphore(1, 10, new FakeClock());
    assert.equal(semaphore.tryAcquire(), true);
    const order: number[] = [];
    for (const i of [1, 2, 3]) void semaphore.acquire(1_000, never).then(() => order.push(i));
    for (const expected of [[1], [1, 2], [1, 2, 3]]) {
      semaphore.release();
      assert.equal(semaphore.tryAcquire(), false, "nobody overtakes the queue");
      await settle();
      assert.deepEqual(order, expected);
    }
    semaphore.release();
    assert.equal(semaphore.running, 0);
    assert.equal(semaphore.tryAcquire(), true);
  });

  test("acquire refuses at once when the queue is full", async () => {
    const semaphore = new Semaphore(1, 1, new FakeClock());
    assert.equal(await semaphore.acquire(1_000, never), "acquired");
    void semaphore.acquire(1_000, never);
    assert.equal(await semaphore.acquire(1_000, never), "full");
  });

  test("acquire gives up after its wait, and a late timer cannot win a place", async () => {
    const clock = new FakeClock();
    const semaphore = new Semaphore(1, 10, clock);
    semaphore.tryAcquire();
    assert.equal(await semaphore.acquire(0, never), "timeout");
    const places: Place[] = [];
    void semaphore.acquire(50, never).then((place) => places.push(place));
    await clock.advance(50);
    assert.deepEqual(places, ["timeout"]);
    assert.equal(semaphore.waiting, 0);

    let nowMs = 0;
    const busy = new Semaphore(1, 10, { now: () => nowMs, after: () => () => {} });
    busy.tryAcquire();
    const expired = busy.acquire(50, never);
    const patient = busy.acquire(500, never);
    nowMs = 60;
    busy.release();
    assert.deepEqual(await Promise.all([expired, patient]), ["timeout", "acquired"]);
  });

  test("abort leaves the queue from any position", async () => {
    const clock = new FakeClock();
    const semaphore = new Semaphore(1, 10, clock);
    semaphore.tryAcquire();
    const controllers = [0, 1, 2, 3].map(() => new AbortController());
    const served: number[] = [];
    const gone: unknown[] = [];
    controllers.forEach((controller, i) => {
      semaphore.acquire(1_000, controller.signal).then(
        () => served.push(i),
        (reason: unknown) => gone.push(reason),
      );
    });
    for (const i of [0, 2]) controllers[i]?.abort(`left ${i}`);
    await settle();
    assert.deepEqual(gone, ["left 0", "left 2"]);
    assert.equal(semaphore.waiting, 2);
    semaphore.release();
    semaphore.release();
    await settle();
    assert.deepEqual(served, [1, 3]);
    controllers[1]?.abort("after it was served");
    assert.equal(semaphore.waiting, 0);
    assert.equal(clock.pending, 0);
    await assert.rejects(semaphore.acquire(1_000, AbortSignal.abort(new Error("too late"))), /too late/);
  });

  test("configure lets more in at once, and fewer as places come back", async () => {
    const semaphore = new Semaphore(1, 10, new FakeClock());
    semaphore.tryAcquire();
    const waiting = [semaphore.acquire(1_000, never), semaphore.acquire(1_000, never)];
    semaphore.configure(3, 10);
    assert.deepEqual(await Promise.all(waiting), ["acquired", "acquired"]);
    semaphore.configure(1, 10);
    semaphore.release();
    semaphore.release();
    assert.equal(semaphore.tryAcquire(), false);
    semaphore.release();
    assert.equal(semaphore.tryAcquire(), true);
  });
});
