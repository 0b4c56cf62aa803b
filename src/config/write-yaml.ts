import { stringify } from "yaml";

/**
 * A configuration as text that is read back as it is, and without a warning: what readers of YAML 1.1 would take for
 * something else (`off`, `12:30`) is quoted too.
 */
export function writeYaml(tree: unknown): string {
  return stringify(tree, { compat: "yaml-1.1", aliasDuplicateObjects: false });
}
