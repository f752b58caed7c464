/** Names and numbers of the Model Context Protocol that more than one room needs. Sections refer to the specification of 2025-11-25. */

/** Legacy revisions, newest first. The 2026-07-28 era is negotiated per request, never by `initialize`. */
export const legacyVersions = ["2025-11-25", "2025-06-18", "2025-03-26", "2024-11-05", "2024-10-07"] as const;
export type LegacyVersion = (typeof legacyVersions)[number];
export const latestLegacyVersion: LegacyVersion = legacyVersions[0];

export function isLegacyVersion(version: unknown): version is LegacyVersion {
  return (legacyVersions as readonly unknown[]).includes(version);
}

/** The answer to `initialize`: the client's own revision where known, else the newest (basic/lifecycle, "Version Negotiation"). */
export function negotiateVersion(requested: unknown): LegacyVersion {
  return isLegacyVersion(requested) ? requested : latestLegacyVersion;
}

/** Lists an upstream can offer, the request that asks for each, and the capability that announces it. */
export const listKinds = {
  tools: { method: "tools/list", field: "tools", capability: "tools", changed: "notifications/tools/list_changed" },
  resources: {
    method: "resources/list",
    field: "resources",
    capability: "resources",
    changed: "notifications/resources/list_changed",
  },
  templates: {
    method: "resources/templates/list",
    field: "resourceTemplates",
    capability: "resources",
    changed: "notifications/resources/list_changed",
  },
  prompts: {
    method: "prompts/list",
    field: "prompts",
    capability: "prompts",
    changed: "notifications/prompts/list_changed",
  },
} as const;
export type ListKind = keyof typeof listKinds;
export const allListKinds = Object.keys(listKinds) as ListKind[];

/** A server says that what a user was sent to an address for is done (client/elicitation, 2025-11-25). */
export const elicitationEnd = "notifications/elicitation/complete";

/** A server says that a resource, or a part of one, that was subscribed to has changed (server/resources, "Subscriptions"). */
export const resourceUpdated = "notifications/resources/updated";
