/** Largest YAML file that is read. */
export const maxYamlBytes = 1_048_576;
