/**
 * The frames of WebSocket (RFC 6455 5), as a client: what it sends is masked, what it gets is not. Compression is not
 * offered, so that a few bytes stay a few bytes. A message is handed on piece by piece as it comes: nothing is collected
 * here.
 */
import { randomBytes } from "../../runtime/random.ts";

export const opcodes = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const;

const maxControlBytes = 125;
const longestHeadBytes = 10;

/** What a server sent breaks the rules of WebSocket; the connection is of no more use. */
export class FrameFault extends Error {
  override readonly name = "FrameFault";
}

/** One whole frame. */
export function encodeFrame(opcode: number, payload: string | Uint8Array): Uint8Array {
  const length = typeof payload === "string" ? Buffer.byteLength(payload) : payload.byteLength;
  const lengthBytes = length < 126 ? 0 : length < 65_536 ? 2 : 8;
  const headBytes = 2 + lengthBytes + 4;
  // The payload begins at a multiple of four, so that it can be masked by words.
  const start = (headBytes + 3) & ~3;
  const bytes = new Uint8Array(start + length);
  const frame = bytes.subarray(start - headBytes);
  frame[0] = 0x80 | opcode;
  frame[1] = 0x80 | (lengthBytes === 0 ? length : lengthBytes === 2 ? 126 : 127);
  const view = new DataView(frame.buffer, frame.byteOffset);
  if (lengthBytes === 2) view.setUint16(2, length);
  else if (lengthBytes === 8) view.setBigUint64(2, BigInt(length));
  const mask = randomBytes(4);
  frame.set(mask, headBytes - 4);
  const body = bytes.subarray(start);
  if (typeof payload === "string") new TextEncoder().encodeInto(payload, body);
  else body.set(payload);
  const words = new Uint32Array(bytes.buffer, start, length >>> 2);
  const [word = 0] = new Uint32Array(mask.buffer);
  for (let at = 0; at < words.length; at++) words[at] = (words[at] as number) ^ word;
  for (let at = length & ~3; at < length; at++) body[at] = (body[at] as number) ^ (mask[at & 3] as number);
  return frame;
}

/** @param code 1000 and above (RFC 6455 7.4) */
export function encodeClose(code: number): Uint8Array {
  return encodeFrame(opcodes.close, Uint8Array.of(code >> 8, code & 0xff));
}

export interface FrameReceiver {
  /** Some of a message, text or binary. */
  onPiece(bytes: Uint8Array): void;
  onMessageEnd(): void;
  onPing(payload: Uint8Array): void;
  /** @param code `undefined` when the server gave none */
  onClose(code: number | undefined, reason: string): void;
}

interface FrameHead {
  readonly opcode: number;
  readonly fin: boolean;
  left: number;
}

export class FrameReader {
  readonly #receiver: FrameReceiver;
  /** The beginning of a head, or the payload of a control frame so far. */
  #held: Uint8Array = new Uint8Array(0);
  #frame: FrameHead | undefined;
  /** The last piece did not end the message. */
  #inMessage = false;
  #closed = false;

  constructor(receiver: FrameReceiver) {
    this.#receiver = receiver;
  }

  /** @throws FrameFault; it must not be used again then */
  push(chunk: Uint8Array): void {
    let bytes = this.#frame === undefined && this.#held.length > 0 ? concat(this.#held, chunk) : chunk;
    if (this.#frame === undefined) this.#held = new Uint8Array(0);
    while (!this.#closed) {
      if (this.#frame === undefined) {
        const headBytes = this.#readHead(bytes);
        if (headBytes === 0) {
          this.#held = bytes;
          return;
        }
        bytes = bytes.subarray(headBytes);
      }
      const frame = this.#frame as FrameHead | undefined;
      if (frame === undefined) return;
      const part = bytes.subarray(0, frame.left);
      frame.left -= part.length;
      bytes = bytes.subarray(part.length);
      if (frame.opcode >= opcodes.close) this.#held = this.#held.length === 0 ? part : concat(this.#held, part);
      else if (part.length > 0) this.#receiver.onPiece(part);
      if (frame.left > 0) return;
      this.#frame = undefined;
      const payload = this.#held;
      this.#held = new Uint8Array(0);
      if (frame.opcode >= opcodes.close) this.#onControl(frame.opcode, payload);
      else if (frame.fin) this.#receiver.onMessageEnd();
    }
  }

  /** Sets the frame and returns the length of its head; 0 when that is not whole. */
  #readHead(bytes: Uint8Array): number {
    if (bytes.length < 2) return 0;
    const [first = 0, second = 0] = bytes;
    const short = second & 0x7f;
    const headBytes = short < 126 ? 2 : short === 126 ? 4 : longestHeadBytes;
    const opcode = first & 0x0f;
    const fin = (first & 0x80) !== 0;
    if ((first & 0x70) !== 0) throw new FrameFault("a frame with reserved bits");
    if ((second & 0x80) !== 0) throw new FrameFault("a masked frame");
    if (opcode >= opcodes.close) {
      if (opcode > opcodes.pong) throw new FrameFault(`a frame of unknown kind ${opcode}`);
      if (!fin || short > maxControlBytes) throw new FrameFault("a control frame in parts or too long");
    } else {
      if (opcode > opcodes.binary) throw new FrameFault(`a frame of unknown kind ${opcode}`);
      if ((opcode === opcodes.continuation) !== this.#inMessage)
        throw new FrameFault(this.#inMessage ? "a message within a message" : "a continuation of nothing");
    }
    if (bytes.length < headBytes) return 0;
    const view = new DataView(bytes.buffer, bytes.byteOffset);
    const left = short < 126 ? short : short === 126 ? view.getUint16(2) : Number(view.getBigUint64(2));
    if (!Number.isSafeInteger(left)) throw new FrameFault("a frame of impossible length");
    if (opcode < opcodes.close) this.#inMessage = !fin;
    this.#frame = { opcode, fin, left };
    return headBytes;
  }

  #onControl(opcode: number, payload: Uint8Array): void {
    if (opcode === opcodes.ping) this.#receiver.onPing(payload);
    else if (opcode === opcodes.close) {
      this.#closed = true;
      const code = payload.length < 2 ? undefined : ((payload[0] as number) << 8) | (payload[1] as number);
      this.#receiver.onClose(code, new TextDecoder().decode(payload.subarray(2)));
    }
  }
}

function concat(first: Uint8Array, second: Uint8Array): Uint8Array {
  const both = new Uint8Array(first.length + second.length);
  both.set(first);
  both.set(second, first.length);
  return both;
}
