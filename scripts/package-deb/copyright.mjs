import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** The file that policy 12.5 wants, with every npm package and its licence. */
export function copyright({ license, packages }) {
  const indented = (text) =>
    text
      .trim()
      .split("\n")
      .map((line) => (line.trim() === "" ? " ." : ` ${line.trim()}`))
      .join("\n");
  const holder = /^Copyright \(c\) (.+)$/m.exec(license)?.[1] ?? "the rsyncdirector authors";
  const others = listPackages(packages).map(
    ({ path, name, license: terms, author }) => `Files: usr/lib/rsyncdirector/node_modules/${path}/*
Copyright: ${author}
License: ${terms}
 The terms of ${name} stand in its own directory.`,
  );
  const body = license.split("\n").slice(4).join("\n");
  return `Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/
Upstream-Name: rsyncdirector

Files: *
Copyright: ${holder}
License: MIT
${indented(body)}

Files: usr/lib/rsyncdirector/bin/node
Copyright: Node.js contributors
License: Node.js
 The terms of the runtime and of all that is built into it stand in
 /usr/share/doc/rsyncdirector/LICENSE.node.gz.

${others.join("\n\n")}
`;
}

function listPackages(directory, prefix = "") {
  return readdirSync(directory)
    .toSorted()
    .flatMap((name) => {
      if (name.startsWith("@")) return listPackages(join(directory, name), `${prefix}${name}/`);
      const path = `${prefix}${name}`;
      const manifest = readManifest(join(directory, name));
      return manifest === undefined ? [] : [{ path, ...manifest }];
    });
}

function readManifest(directory) {
  try {
    const { name, license, author } = JSON.parse(readFileSync(join(directory, "package.json"), "utf8"));
    const who = typeof author === "string" ? author : (author?.name ?? `the authors of ${name}`);
    const terms = typeof license === "string" ? license : (license?.type ?? "see its directory");
    return { name, author: who, license: terms.replaceAll(" ", "-") };
  } catch {
    return undefined;
  }
}
