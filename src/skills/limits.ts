/** How much of a skill is taken in, whoever wrote it. Well below what every host has to accept: 512 files, 16 MiB. */
export const maxFileBytes = 524_288;
/** `SKILL.md` included. */
export const maxFiles = 128;
export const maxSkillBytes = 4_194_304;
/** Of front matter as JSON: aliases can make much of little. */
export const maxFrontmatterCharacters = 65_536;
export const maxRegistryBytes = 67_108_864;
