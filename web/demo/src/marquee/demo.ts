// The demo's own addresses of the API: what else is for servers' keys alone (api/openapi.yaml, `demo`).
import type { components } from './schema';

export type Profile = components['schemas']['DemoProfile'];
export type Decision = components['schemas']['DemoDecision'];
export type Explained = Decision['placements'][number];
export interface Visit {
  site: string;
  key: string;
  visit: string;
}

async function answered<T>(path: string, init?: RequestInit): Promise<T> {
  const answer = await fetch(`/v1/demo${path}`, init);
  if (!answer.ok) throw new Error(`${path} answered ${answer.status}`);
  return (await answer.json()) as T;
}

export function beginVisit(): Promise<Visit> {
  return answered<Visit>('/visits', { method: 'POST' });
}

/** What is asked for is named: a profile has hashes alone, and is told in the words of who asks. */
export interface Names {
  category: string[];
  course: string[];
  word: string[];
  page: string[];
  campaign: string[];
  ad: string[];
}

export function askProfile(userId: string, consent: string, age: number, names: Names): Promise<Profile> {
  return answered<Profile>('/profile', {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ user_id: userId, consent, age, names }),
  });
}

/** Null where the server has let go of it. */
export async function askDecision(id: string): Promise<Decision | null> {
  try {
    return await answered<Decision>(`/decisions/${encodeURIComponent(id)}`);
  } catch {
    return null;
  }
}
