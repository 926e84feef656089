// Where things are, in 1/10,000 of the size of what they are in, so that a layout's change does not move them.

export interface PagePlace {
  page_x: number;
  page_y: number;
}
export interface Place extends PagePlace {
  x: number;
  y: number;
}

export function permyriad(part: number, whole: number): number {
  return whole > 0 ? Math.round(Math.min(Math.max(part / whole, 0), 1) * 1e4) : 0;
}

function pagePlace(clientX: number, clientY: number): PagePlace {
  const { scrollWidth, scrollHeight } = document.documentElement;
  return { page_x: permyriad(clientX + scrollX, scrollWidth), page_y: permyriad(clientY + scrollY, scrollHeight) };
}

/** A point of the window, within an element and within the page. */
export function placeOf(element: Element, { clientX, clientY }: MouseEvent): Place {
  const { left, top, width, height } = element.getBoundingClientRect();
  return { x: permyriad(clientX - left, width), y: permyriad(clientY - top, height), ...pagePlace(clientX, clientY) };
}

/** The middle of an element within the page. */
export function middleOf(element: Element): PagePlace {
  const { left, top, width, height } = element.getBoundingClientRect();
  return pagePlace(left + width / 2, top + height / 2);
}

/** As a query. */
export function queryOf(place: PagePlace): string {
  return `?${new URLSearchParams(place as unknown as Record<string, string>).toString()}`;
}
