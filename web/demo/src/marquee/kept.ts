// What the browser keeps of a visit: its id and who the visitor is. Where storage is blocked, nothing outlives the page.
const WHO = 'demo.who';
const VISIT = 'demo.visit';

function read(name: string): string | null {
  try {
    return localStorage.getItem(name);
  } catch {
    return null;
  }
}

function write(name: string, value: string | null): void {
  try {
    if (value === null) localStorage.removeItem(name);
    else localStorage.setItem(name, value);
  } catch {
    // Blocked: see above.
  }
}

export const keptWho = (): string | null => read(WHO);
export const keepWho = (who: string | null): void => {
  write(WHO, who);
};
export const keptVisit = (): string | null => read(VISIT);
export const keepVisit = (visit: string | null): void => {
  write(VISIT, visit);
};
