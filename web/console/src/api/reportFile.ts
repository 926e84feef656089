// A report as a file, and kept under an address: for reports whose parameters are those of their address.
import { session } from '../state/session';
import { answered, api } from './client';
import { ApiError, kindOfStatus, serverMessage } from './errors';
import type { FileFormat } from './saved';
import type { components } from './schema';

type NewReport = components['schemas']['NewSavedReport'];
export type ReportParameters = Readonly<Record<string, string | number | readonly string[]>>;

function addressOf(parameters: ReportParameters): string {
  const address = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) {
    for (const one of Array.isArray(value) ? (value as readonly string[]) : [value]) address.append(name, String(one));
  }
  return address.toString();
}

/** Has the browser keep a file: an <a> cannot carry the token, so it is given what was fetched. */
export function keepFile(content: Blob, name: string): void {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(content);
  link.download = name;
  link.click();
  URL.revokeObjectURL(link.href);
}

export async function downloadReport(kind: NewReport['kind'], parameters: ReportParameters, name: string, format: FileFormat): Promise<void> {
  const response = await fetch(`/v1/reports/${kind}?${addressOf({ ...parameters, format })}`, { headers: session.headers() });
  if (!response.ok) throw new ApiError(kindOfStatus(response.status), serverMessage(await response.json().catch(() => undefined), response.status), response.status);
  keepFile(await response.blob(), `${name}.${format}`);
}

export async function saveReport(kind: NewReport['kind'], parameters: ReportParameters, name: string): Promise<{ readonly id: string }> {
  // The document leaves open what a report's parameters are, which its generated type takes for nothing.
  const body = { name, kind, owner: 'admin', parameters: parameters as unknown as NewReport['parameters'] };
  return { id: (await answered(api.POST('/v1/saved-reports', { body }))).id };
}
