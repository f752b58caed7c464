/** The face of 2026-07-28, made for its first client. */
import type { FaceHost } from "../clients/host.ts";
import type { ModernFace } from "../clients/modern/modern-face.ts";
import { randomToken } from "../runtime/random.ts";

export interface ModernFaceOptions {
  readonly host: FaceHost;
  readonly stateDirectory: string | undefined;
  noteProblem(what: string, consequence: string): (error: unknown) => void;
}

export function modernFaceOf(options: ModernFaceOptions): () => Promise<ModernFace> {
  let made: Promise<ModernFace> | undefined;
  return () => {
    made ??= make(options);
    return made;
  };
}

async function make({ host, stateDirectory, noteProblem }: ModernFaceOptions): Promise<ModernFace> {
  const [{ createModernFace }, { createStateSeal }] = await Promise.all([
    import("../clients/modern/modern-face.ts"),
    import("./state-seal.ts"),
  ]);
  const keyPath = stateDirectory === undefined ? undefined : `${stateDirectory}/request-state.key`;
  const noteLoss = noteProblem("Keys for what clients keep", "calls that wait for input end with this process");
  return createModernFace(host, { seal: createStateSeal(keyPath, noteLoss), randomId: () => randomToken(16) });
}
