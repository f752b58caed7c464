/** The version this source is; the build checks that it equals package.json, so that nothing reads that file at start. */
export const version = "0.1.0";
