import { describe, expect, it } from 'vitest';
import type { PartitionState, Pipeline, PipelinePartition } from '../src/api/model';
import { bytesOf } from '../src/api/pipeline';
import { pipelineMessages } from '../src/i18n/pipelineMessages';
import { findings, severity, toneOf, toneOfState } from '../src/state/pipelineVerdict';
import { hexLines } from '../src/state/hexLines';
import { parseAddress, pipelineSearch, printAddress } from '../src/state/search';

function partition(number: number, state: PartitionState): PipelinePartition {
  return {
    partition: number, state, waiting: 0, oldest: 0, landingPerSecond: 0, arrivingPerSecond: 0, doneIn: 0, batchRows: 0, deadLetters: 0,
    loader: '', hasLoader: true, told: undefined, lastError: '',
  };
}

function pipeline(states: readonly PartitionState[], fields: Partial<Pipeline> = {}): Pipeline {
  return {
    time: 0, waiting: 0, landingPerSecond: 0, arrivingPerSecond: 0, logKind: 'kafka', logAnswers: true, storeAnswers: true, oldest: 0, doneIn: 0,
    maxBatchRows: 1, partitions: states.map((state, index) => partition(index, state)), history: [], ...fields,
  };
}

const kinds = (of: Pipeline) => findings(of).map((finding) => finding.kind);

describe('what the pipeline comes to', () => {
  it('is good while events land', () => {
    expect(findings(pipeline(['landed', 'landing']))).toEqual([]);
    expect(toneOf([])).toBe('good');
  });

  it('names the worst first', () => {
    expect(kinds(pipeline(['behind', 'failing', 'orphaned', 'landed', 'silent', 'stalled']))).toEqual(['orphaned', 'silent', 'failing', 'stalled', 'behind']);
    expect(kinds(pipeline(['orphaned'], { logAnswers: false }))).toEqual(['log', 'orphaned']);
  });

  it('is only a warning where no more is wrong than a backlog that grows', () => {
    expect(toneOf(findings(pipeline(['behind'])))).toBe('warn');
    expect(toneOf(findings(pipeline(['behind', 'stalled'])))).toBe('bad');
  });

  it('blames the store once, not every partition that fails by it', () => {
    expect(kinds(pipeline(['failing', 'failing'], { storeAnswers: false }))).toEqual(['store']);
  });

  it('gathers partitions of a kind', () => {
    const [finding] = findings(pipeline(['orphaned', 'landed', 'orphaned']));
    expect(finding?.kind === 'orphaned' ? finding.partitions.map((one) => one.partition) : []).toEqual([0, 2]);
    expect(pipelineMessages.partitions([0, 2], 3)).toBe('Partitions 0 and 2');
    expect(pipelineMessages.partitions([0, 1, 2], 3)).toBe('All 3 partitions');
    expect(pipelineMessages.partitions([7], 8)).toBe('Partition 7');
  });

  it('sorts states from good to bad', () => {
    expect(severity('orphaned')).toBeGreaterThan(severity('failing'));
    expect(toneOfState('landing')).toBe('good');
    expect(toneOfState('behind')).toBe('warn');
    expect(toneOfState('silent')).toBe('bad');
  });
});

describe('bytes', () => {
  it('are shown sixteen a line with what is printable', () => {
    const bytes = bytesOf('AAECQUJD/w==');
    expect([...bytes]).toEqual([0, 1, 2, 65, 66, 67, 255]);
    expect(hexLines(bytes)).toEqual(['0000  00 01 02 41 42 43 ff                             ...ABC.']);
    expect(hexLines(new Uint8Array(33))).toHaveLength(3);
    expect(hexLines(new Uint8Array(0))).toEqual([]);
  });
});

describe('the address of the pipeline', () => {
  it('keeps a reason as it is, whatever is in it', () => {
    const search = pipelineSearch({ reason: 'event: byte 7, "x" & more', sort: 'waiting', dir: 'desc' });
    expect(pipelineSearch(parseAddress(printAddress({ ...search })))).toEqual(search);
    expect(pipelineSearch({ reason: '' })).toEqual({});
  });
});
