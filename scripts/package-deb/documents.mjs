import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { captureProgram } from "../run-program.mjs";
import { commandManual } from "./command-manual.mjs";
import { configManual } from "./config-manual.mjs";
import { copyright } from "./copyright.mjs";
import { put, putCompressed, putCopy } from "./tree.mjs";

/** Where each shell looks for what completes our command lines. */
const completions = {
  bash: "usr/share/bash-completion/completions/rsyncdirector",
  zsh: "usr/share/zsh/vendor-completions/_rsyncdirector",
  fish: "usr/share/fish/vendor_completions.d/rsyncdirector.fish",
};

/** Manual pages, completions, and what belongs to /usr/share/doc. */
export async function layOutDocuments({ root, scratch, tree, version, epoch }) {
  const read = (path) => readFileSync(join(root, path), "utf8");
  const ask = (...args) => captureProgram(process.execPath, ["dist/main.js", ...args]);
  const date = new Date(epoch * 1000).toISOString().slice(0, 10);
  putCompressed(tree, "usr/share/man/man1/rsyncdirector.1", await commandManual({ ask, version, date }));
  const manual = configManual(read("docs/configuration.md"), { version, date });
  putCompressed(tree, "usr/share/man/man5/rsyncdirector.yaml.5", manual);
  await putCompletions(tree, ask);

  const doc = "usr/share/doc/rsyncdirector";
  putCopy(tree, `${doc}/README.md`, join(root, "README.md"));
  // Which link to each other, to the decisions, and to the images.
  for (const folder of ["docs", "docs/decisions", "docs/images"])
    for (const name of readdirSync(join(root, folder)).filter((name) => /\.(?:md|png)$/.test(name)))
      putCopy(tree, `${doc}/${folder}/${name}`, join(root, folder, name));
  putCopy(tree, `${doc}/examples/rsyncdirector.yaml`, join(root, "resources/rsyncdirector.yaml"));
  for (const folder of ["grafana", "prometheus"])
    for (const name of readdirSync(join(root, "resources", folder)))
      putCopy(tree, `${doc}/examples/${folder}/${name}`, join(root, "resources", folder, name));
  const packages = join(tree, "usr/lib/rsyncdirector/node_modules");
  put(tree, `${doc}/copyright`, copyright({ license: read("LICENSE"), packages }));
  putCompressed(tree, `${doc}/LICENSE.node`, readFileSync(join(scratch, "node-license")));
  putCompressed(tree, `${doc}/NEWS`, read("CHANGELOG.md"));
  putCompressed(tree, `${doc}/changelog`, changelog({ version, epoch }));
}

async function putCompletions(tree, ask) {
  for (const [shell, path] of Object.entries(completions)) {
    const { status, output } = await ask("completion", shell);
    if (status === 0) put(tree, path, output);
    else console.log(`package-deb: no completion for ${shell}: ${output.trim().split("\n", 1)[0]}`);
  }
}

function changelog({ version, epoch }) {
  const date = new Date(epoch * 1000).toUTCString().replace("GMT", "+0000");
  return `rsyncdirector (${version}) unstable; urgency=medium

  * What has changed stands in NEWS.gz beside this file.

 -- The rsyncdirector authors <rsyncdirector@packages.invalid>  ${date}
`;
}
