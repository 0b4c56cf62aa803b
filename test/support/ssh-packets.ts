const newKeys = 21;
const lengthBytes = 4;
const gcmTagBytes = 16;

/** The one cipher whose packets tell their length to whoever listens: RFC 5647. */
export const gcmOnly = "Ciphers aes128-gcm@openssh.com";

/**
 * Cuts one direction of an SSH connection into its packets (RFC 4253 §6); the first is the version line. The
 * server must allow `gcmOnly`: with other ciphers the length of a packet is encrypted, too.
 */
export function sshPackets(): (chunk: Buffer) => Buffer[] {
  let rest: Buffer = Buffer.alloc(0);
  let greeted = false;
  let encrypted = false;

  const lengthOfNext = (): number | undefined => {
    if (!greeted) {
      const end = rest.indexOf("\n");
      return end < 0 ? undefined : end + 1;
    }
    if (rest.length < lengthBytes) return undefined;
    return lengthBytes + rest.readUInt32BE(0) + (encrypted ? gcmTagBytes : 0);
  };
  return (chunk) => {
    rest = Buffer.concat([rest, chunk]);
    const packets: Buffer[] = [];
    for (;;) {
      const length = lengthOfNext();
      if (length === undefined || rest.length < length) return packets;
      const packet = rest.subarray(0, length);
      rest = rest.subarray(length);
      // Behind the length and one byte that counts the padding comes the kind of the message.
      if (greeted && !encrypted && packet[lengthBytes + 1] === newKeys) encrypted = true;
      greeted = true;
      packets.push(packet);
    }
  };
}
