/** What Tailscale's program is asked for, and what it says where the gateway can be reached. */
import type { TunnelSettings } from "./schema.ts";

/**
 * In the foreground: what `tailscale serve` and `tailscale funnel` set up so ends with them, whatever ends them.
 * @param target address of the gateway on this machine
 */
export function tailscaleArgv({ executable, mode, https_port }: TunnelSettings, target: string): string[] {
  return [executable, mode, `--https=${https_port}`, target];
}

export interface PublicAddress {
  /** With the port where it is not 443, without a slash at the end. */
  readonly url: string;
  readonly host: string;
}

const hostPattern = /^[a-z0-9-]+(?:\.[a-z0-9-]+)+$/;

/**
 * Reads the lines of the program. The address follows on a line that begins with "Available"; others, such as the one
 * where somebody has to allow it first, are not ours.
 */
export class AddressReader {
  #isNext = false;

  /** The address, once, on the line that has it. */
  read(line: string): PublicAddress | undefined {
    if (/^Available (?:within|on) /.test(line)) this.#isNext = true;
    else if (this.#isNext) {
      const text = /^https:\/\/[^\s/]+/.exec(line.trim())?.[0];
      this.#isNext = text === undefined;
      if (text !== undefined && URL.canParse(text)) return addressOf(new URL(text));
    }
    return undefined;
  }
}

function addressOf({ origin, hostname, username, password }: URL): PublicAddress | undefined {
  return hostPattern.test(hostname) && username + password === "" ? { url: origin, host: hostname } : undefined;
}
