import type { Argument, Command, Option } from "commander";

/** A word that may be next, and what it means. */
export interface Candidate {
  readonly word: string;
  readonly about: string;
}

/** `files`: names of files, which shells complete better than anybody else. */
export type Completion =
  { readonly kind: "words"; readonly candidates: readonly Candidate[] } | { readonly kind: "files" };

/** What only the configuration and the history know. `config` is the value of `--config`, if one was given. */
export interface KnownWords {
  jobs(config: string | undefined): Promise<readonly Candidate[]>;
  runs(config: string | undefined): Promise<readonly Candidate[]>;
}

const nothing: Completion = { kind: "words", candidates: [] };

/** Completes the last of the words (those after the program's name), which is empty where a new word begins. */
export async function completeWords(
  program: Command,
  words: readonly string[],
  known: KnownWords,
): Promise<Completion> {
  const current = words.at(-1) ?? "";
  const place = walk(program, words.slice(0, -1));
  const completion = await candidatesAt(place, { current, known });
  if (completion.kind === "files") return completion;
  const candidates = completion.candidates.filter(({ word }) => word.startsWith(current));
  return {
    kind: "words",
    candidates: candidates.filter((one, at) => candidates.findIndex(({ word }) => word === one.word) === at),
  };
}

interface Place {
  readonly command: Command;
  /** The option whose value comes next. */
  readonly option: Option | undefined;
  /** So many arguments are there already. */
  readonly position: number;
  readonly config: string | undefined;
}

/** Reads the words as the program would. */
function walk(program: Command, words: readonly string[]): Place {
  let place: Place = { command: program, option: undefined, position: 0, config: undefined };
  for (const word of words) place = step(place, word);
  return place;
}

function step(place: Place, word: string): Place {
  const { command, option, position } = place;
  if (option !== undefined) {
    return { ...place, option: undefined, config: option.long === "--config" ? word : place.config };
  }
  if (word.startsWith("-") && word !== "-") {
    const [name = "", value] = word.split(/=(.*)/s, 2);
    const found = command.options.find(({ long, short }) => long === name || short === name);
    if (value !== undefined && found?.long === "--config") return { ...place, config: value };
    return found !== undefined && value === undefined && (found.required || found.optional)
      ? { ...place, option: found }
      : place;
  }
  const child = command.commands.find((each) => each.name() === word);
  return child === undefined || position > 0 ? { ...place, position: position + 1 } : { ...place, command: child };
}

async function candidatesAt(
  place: Place,
  { current, known }: { current: string; known: KnownWords },
): Promise<Completion> {
  const { command, option, position, config } = place;
  if (option !== undefined) return valuesOf(option, place, known);
  const help = command.createHelp();
  if (current.startsWith("-")) {
    const options = help.visibleOptions(command);
    return words(
      options.flatMap(({ long, short, description }) =>
        [long, short].flatMap((word) => (word ? [{ word, about: description }] : [])),
      ),
    );
  }
  const commands =
    position > 0 ? [] : help.visibleCommands(command).map((each) => ({ word: each.name(), about: each.description() }));
  const all = command.registeredArguments;
  const argument = all[position] ?? (all.at(-1)?.variadic === true ? all.at(-1) : undefined);
  const values = argument === undefined ? nothing : await argumentsOf(argument, config, known);
  // The command `help` is commander's own, and is no use to complete among arguments.
  if (values.kind === "files") return commands.length === 0 ? values : words(commands);
  return words([...commands, ...values.candidates]);
}

async function valuesOf(option: Option, { config }: Place, known: KnownWords): Promise<Completion> {
  if (option.argChoices !== undefined) return words(option.argChoices.map((word) => ({ word, about: "" })));
  if (/<file>/.test(option.flags)) return { kind: "files" };
  if (option.long === "--job") return words(await known.jobs(config));
  return option.long === "--run" ? words(await known.runs(config)) : nothing;
}

/** By the name that an argument has in the help. */
async function argumentsOf(argument: Argument, config: string | undefined, known: KnownWords): Promise<Completion> {
  if (argument.argChoices !== undefined) return words(argument.argChoices.map((word) => ({ word, about: "" })));
  switch (argument.name()) {
    case "job":
      return words(await known.jobs(config));
    case "run":
      return words([{ word: "last", about: "the newest run" }, ...(await known.runs(config))]);
    case "file":
    case "path":
      return { kind: "files" };
    default:
      return nothing;
  }
}

function words(candidates: readonly Candidate[]): Completion {
  return { kind: "words", candidates };
}
