/** Which values in the entry of a backend are secrets: no key says so, it shows in their names and their looks. */

const secretName = /key|token|secret|pass|pwd|auth|credential|cookie|private|dsn|signature/i;
/** Keys made by machines hold a long run of letters and digits, words and versions do not; or they are UUIDs. */
const randomRun = /(?=[A-Za-z]*\d)(?=\d*[A-Za-z])[A-Za-z0-9]{16}|[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-/i;
const harmlessHeader = /^(accept|accept-.*|content-type|user-agent|host)$/i;

export interface BackendEntry {
  readonly env: Readonly<Record<string, string>>;
  readonly headers: Readonly<Record<string, string>>;
  readonly command: readonly string[] | undefined;
  readonly http_url?: string | undefined;
  readonly a2a_url?: string | undefined;
  readonly identity_propagation?: { readonly token_exchange_endpoint?: string | undefined } | undefined;
}

/** The secrets of the entry, some of them in several forms. A reference such as `${TOKEN}` is none. */
export function backendSecrets({ env, headers, command = [], ...addresses }: BackendEntry): string[] {
  const { http_url, a2a_url, identity_propagation: identity } = addresses;
  return [
    ...Object.entries(env).flatMap(([name, value]) => namedSecret(name, value)),
    ...Object.entries(headers).flatMap(([name, value]) =>
      // "Bearer abc" and the "abc" in it.
      harmlessHeader.test(name) ? [] : [value, ...value.split(/\s+/).slice(1)],
    ),
    ...argumentSecrets(command.slice(1)),
    ...[http_url, a2a_url, identity?.token_exchange_endpoint].flatMap((url) =>
      url === undefined ? [] : urlSecrets(url),
    ),
  ].filter((value) => !/^\$\{[^}]*\}$/.test(value));
}

/** Whether a text that is not where secrets belong may be one, or hold one, all the same. */
export function looksSecret(text: string): boolean {
  return randomRun.test(text) || /:\/\/[^/]*@/.test(text);
}

/** Variables of the process that capabilities and references may name. Paths that lead to a secret are none. */
export function environmentSecrets(env: Readonly<Record<string, string | undefined>>): string[] {
  return Object.entries(env).flatMap(([name, value]) =>
    value !== undefined && secretName.test(name) && !value.startsWith("/") ? [value] : [],
  );
}

function namedSecret(name: string, value: string): string[] {
  return secretName.test(name) || (randomRun.test(value) && !value.includes("/")) ? [value] : [];
}

/** `--api-key=x`, `--token x`, `--header "Authorization: Bearer x"`, and what looks like a key by itself. */
function argumentSecrets(args: readonly string[]): string[] {
  return args.flatMap((argument, at) => {
    const [, name = "", value = ""] = /^(--?[\w-]+)=(.*)$/s.exec(argument) ?? [];
    if (name !== "") return namedSecret(name, value);
    const flag = args[at - 1] ?? "";
    if (/^--?[\w-]+$/.test(flag) && secretName.test(flag) && !argument.startsWith("-")) return [argument];
    return argument.split(/[\s:="',;]+/).flatMap((word) => namedSecret("", word));
  });
}

/** User, password, values of the query, and the key that some services have in the path. */
function urlSecrets(text: string): string[] {
  if (!URL.canParse(text)) return [];
  const { username, password, pathname, search, searchParams } = new URL(text);
  const inPath = pathname.split("/").filter((segment) => randomRun.test(segment));
  const inQuery = [...searchParams].flatMap(([name, value]) => namedSecret(name, value));
  // As written too: the text of an address is not always encoded as we would.
  const asWritten = search
    .slice(1)
    .split(/[&=]/)
    .filter((part) => randomRun.test(part));
  const credentials = [username, password].flatMap((part) => [part, decoded(part)]);
  return [...credentials, ...inPath, ...inPath.map(decoded), ...inQuery, ...asWritten];
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
