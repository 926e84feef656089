// Sets the chosen theme before the first paint, so that a dark page never flashes white. A file of its own, so that a
// content security policy without 'unsafe-inline' can serve it.
try {
  const theme = localStorage.getItem('marquee.theme');
  if (theme === 'light' || theme === 'dark') document.documentElement.dataset.theme = theme;
} catch {
  // Storage is blocked: the system's theme applies.
}
