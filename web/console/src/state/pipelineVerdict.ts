// What the pipeline's numbers come to, worst first: which sentences they are is the view's matter.
import type { PartitionState, Pipeline, PipelinePartition } from '../api/model';

export type Tone = 'good' | 'warn' | 'bad';

export type Finding =
  | { readonly kind: 'log' }
  | { readonly kind: 'store' }
  | { readonly kind: Exclude<PartitionState, 'landed' | 'landing'>; readonly partitions: readonly PipelinePartition[] };

const worstFirst = ['orphaned', 'silent', 'failing', 'stalled', 'behind'] as const;

/** What stands in the way of events; empty while they land. */
export function findings(pipeline: Pipeline): readonly Finding[] {
  const found: Finding[] = [];
  if (!pipeline.logAnswers) found.push({ kind: 'log' });
  if (!pipeline.storeAnswers) found.push({ kind: 'store' });
  for (const kind of worstFirst) {
    const partitions = pipeline.partitions.filter((one) => one.state === kind);
    // Without a store every attempt fails: that is said already.
    if (partitions.length === 0 || (kind === 'failing' && !pipeline.storeAnswers)) continue;
    found.push({ kind, partitions });
  }
  return found;
}

export function toneOf(found: readonly Finding[]): Tone {
  const [worst] = found;
  return worst === undefined ? 'good' : worst.kind === 'behind' ? 'warn' : 'bad';
}

export function severity(state: PartitionState): number {
  return ['landed', 'landing', 'behind', 'stalled', 'failing', 'silent', 'orphaned'].indexOf(state);
}

export function toneOfState(state: PartitionState): Tone {
  return severity(state) < severity('behind') ? 'good' : state === 'behind' ? 'warn' : 'bad';
}
