/**
 * Run ids as bytes, and which partition a workflow id belongs to.
 * Thread: supervisor. In → out: UUID text ⇄ 16 bytes; workflow id → partition.
 */
export function runIdToBytes(runId: string): Uint8Array {
  const bytes = new Uint8Array(16);
  let at = 0;
  for (let i = 0; i < 36; ) {
    if (runId.charCodeAt(i) === 45) {
      i++;
      continue;
    }
    bytes[at++] = (nibble(runId.charCodeAt(i)) << 4) | nibble(runId.charCodeAt(i + 1));
    i += 2;
  }
  return bytes;
}

function nibble(code: number): number {
  return code <= 57 ? code - 48 : code - 87;
}

/** Persisted in every frame, so for ever. */
export function partitionOf(workflowId: string, partitions: number): number {
  return (hashOf(workflowId) >>> 0) % partitions;
}

/** FNV-1a over the UTF-16 code units: 32 bits, signed, which V8 keeps in place. */
export function hashOf(text: string): number {
  let hash = 0x811c9dc5 | 0;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return hash;
}
