import { configComplaints, configKinds } from "./document-configs.ts";
import { scriptComplaints } from "./document-commands.ts";
import { fileChecks } from "./document-files.ts";
import type { CodeBlock } from "./markdown.ts";

/** How many of what have been checked. */
export type Count = (what: string) => void;

/** What is wrong with a block of a document. A block of a kind that nobody checks is wrong for that alone. */
export async function blockComplaints({ kind, text }: CodeBlock, count: Count): Promise<string[]> {
  const countCommand = (program: string) => {
    count("commands");
    if (program === "rsyncdirector") count("commands of rsyncdirector");
  };
  const checks: Readonly<Record<string, (content: string) => Promise<string[]>>> = {
    sh: (content) => scriptComplaints(content, countCommand),
    console: (content) => scriptComplaints(typedIn(content), countCommand),
    ...Object.fromEntries(configKinds.map((each) => [each, (content: string) => configComplaints(each, content)])),
    ...fileChecks,
  };
  const check = checks[kind];
  if (check === undefined) return [`nothing checks blocks of the kind "${kind}": ${Object.keys(checks).join(", ")}`];
  try {
    return await check(text);
  } catch (error) {
    return [String(error)];
  }
}

/** What stands behind the prompts of a session. */
function typedIn(session: string): string {
  const commands = [...session.matchAll(/^\$ (.*(?:\\\n.*)*)$/gm)].map(([, command]) => command);
  if (commands.length === 0) throw new Error(`a session without a command: ${session}`);
  return commands.join("\n");
}
