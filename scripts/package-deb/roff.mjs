/** Text as man(7) wants it: no backslash, leading dot or hyphen of it means anything but itself. */
export function escapeRoff(text) {
  return text
    .replaceAll("\\", "\\e")
    .replaceAll("-", "\\-")
    .replaceAll(/^([.'])/gm, "\\&$1");
}

/** Lines exactly as they are, as in a terminal. */
export function verbatim(text) {
  return `.RS 2\n.nf\n${escapeRoff(text.replace(/\n+$/, ""))}\n.fi\n.RE\n`;
}

export function titleLine({ name, section, date, version, manual }) {
  return `.TH "${name}" "${section}" "${date}" "rsyncdirector ${version}" "${manual}"\n.nh\n.ad l\n`;
}
