/** Importing capabilities; loaded with the first import. */
import type { ManagementRoute } from "./route.ts";

const importing = () => import("./import-openapi.ts");

export const importRoutes: readonly ManagementRoute[] = [
  {
    method: "POST",
    path: "/ui/api/import/openapi/preview",
    who: "admin",
    run: async (task) => (await importing()).previewOpenApi(task),
  },
  {
    method: "POST",
    path: "/ui/api/import/openapi",
    who: "admin",
    run: async (task) => (await importing()).writeOpenApi(task),
  },
];
