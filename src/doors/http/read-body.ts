/** The body of a POST, never more of it than the limit, whether or not its length was announced. */
import { GatewayError } from "../../core/errors.ts";
import { ByteCollector } from "../../lib/byte-collector.ts";

/** @throws GatewayError BODY_TOO_LARGE, at once or as a rejection */
export function readBody(request: Request, maxBytes: number): Promise<Uint8Array> {
  const announced = request.headers.get("content-length");
  if (announced === null) return readUnannounced(request, maxBytes);
  // The server beneath holds the body to its announced length.
  if (Number(announced) > maxBytes) throw tooLarge(maxBytes);
  return request.bytes();
}

async function readUnannounced({ body }: Request, maxBytes: number): Promise<Uint8Array> {
  const collected = new ByteCollector();
  if (body !== null)
    // Leaving the loop cancels the rest.
    for await (const piece of body) {
      if (collected.byteLength + piece.byteLength > maxBytes) throw tooLarge(maxBytes);
      collected.append(piece);
    }
  return collected.take();
}

function tooLarge(maxBytes: number): GatewayError {
  return new GatewayError("BODY_TOO_LARGE", `The request is larger than ${maxBytes} bytes`, {
    hint: "Send less, or raise server.max_body_size",
  });
}
