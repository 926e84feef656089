// The box that lies over a slot, so that what is drawn in it cannot change the slot's size.

/** Styled through the CSSOM, which a policy without unsafe-inline allows. */
export function make<K extends keyof HTMLElementTagNameMap>(tag: K, style: string, name: string): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  element.style.cssText = style;
  element.className = 'marquee-' + name;
  return element;
}

/** Takes the place of what was drawn before. */
export function fill(slot: HTMLElement, ...content: Node[]): void {
  const { style } = slot;
  if (getComputedStyle(slot).position === 'static') style.position = 'relative';
  style.overflow = 'hidden';
  slot.querySelector('.marquee-box')?.remove();
  const box = make('div', 'position:absolute;inset:0', 'box');
  box.append(...content);
  slot.append(box);
}
