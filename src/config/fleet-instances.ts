import { type FleetFinding, type FleetMember, makeFinding, placeOf, shownHost } from "./fleet.ts";

/** What two instances on one host would fight for. */
export function findInstanceFlaws(members: readonly FleetMember[]): FleetFinding[] {
  return members.flatMap((member, index) =>
    members.slice(0, index).flatMap((other) => [...findSameId(member, other), ...findSamePort(member, other)]),
  );
}

function findSameId(member: FleetMember, other: FleetMember): FleetFinding[] {
  if (member.config.rsyncId !== other.config.rsyncId || shownHost(member) !== shownHost(other)) return [];
  const certain = member.hostIsCertain && other.hostIsCertain;
  const { rsyncId } = member.config;
  const on = certain ? `on ${shownHost(member)}` : "if they are on one host";
  return [
    makeFinding(member, ["rsync_id"], {
      level: certain ? "error" : "warning",
      kind: "instance",
      message: `${rsyncId} is the rsync_id of ${placeOf(other, ["rsync_id"])} too: ${on} they share pid file, history and state, and only one can run`,
      remedy: certain
        ? "give each instance of a host its own rsync_id"
        : "give each its own rsync_id; or say which hosts they belong to: NAME=FILE",
    }),
  ];
}

function findSamePort(member: FleetMember, other: FleetMember): FleetFinding[] {
  const [own, its] = [member.config.metrics, other.config.metrics];
  const onOneHost = shownHost(member) === shownHost(other) && member.hostIsCertain && other.hostIsCertain;
  if (!onOneHost || own.port === 0 || own.port !== its.port) return [];
  const everywhere = (addr: string) => addr === "0.0.0.0" || addr === "::";
  if (own.addr !== its.addr && !everywhere(own.addr) && !everywhere(its.addr)) return [];
  return [
    makeFinding(member, ["metrics", "port"], {
      level: "error",
      kind: "instance",
      message: `port ${own.port} is that of ${placeOf(other, ["metrics", "port"])} too, on ${shownHost(member)}: only one of them can listen there`,
      remedy: "give each instance of a host its own metrics: {port}",
    }),
  ];
}
