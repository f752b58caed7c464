/**
 * Files of an older edition have their few settings at the top, without sections (`port: 39400`). They are read as they
 * are; where a file has both, the one in its section counts, and the other is unknown.
 */
import type { Place, YamlDocument } from "../lib/yaml-document.ts";
import { isMap, type Path, type Settings, valueAt, withoutPath, withValueAt } from "./path.ts";

const sections: Readonly<Record<string, Path>> = {
  host: ["server", "host"],
  port: ["server", "port"],
  enable_meta_mcp: ["meta_mcp", "enabled"],
  request_timeout: ["server", "request_timeout"],
  health_check_interval: ["failsafe", "health_check", "interval"],
};

/** The settings with those of the top in their sections. */
export function inSections(settings: Settings): Settings {
  let lifted = settings;
  for (const key in sections) {
    const path = sections[key] as Path;
    if (!Object.hasOwn(settings, key) || !canTake(lifted, path)) continue;
    lifted = withoutPath(withValueAt(lifted, path, settings[key]), [key]) as Settings;
  }
  return lifted;
}

/** {@link YamlDocument.placeOf} of a path in the settings {@link inSections} gave. */
export function placeIn(document: YamlDocument, path: Path): Place {
  if (valueAt(document.value, path) === undefined)
    for (const key in sections) {
      const section = sections[key] as Path;
      const isIt = section.length === path.length && section.every((step, at) => path[at] === step);
      if (isIt && valueAt(document.value, [key]) !== undefined) return document.placeOf([key]);
    }
  return document.placeOf(path);
}

function canTake(settings: Settings, path: Path): boolean {
  if (valueAt(settings, path) !== undefined) return false;
  return path.slice(0, -1).every((_step, at) => {
    const section = valueAt(settings, path.slice(0, at + 1));
    return section === undefined || isMap(section);
  });
}
