// The words of the palette, which travel with it.
export const paletteMessages = {
  title: 'Go to',
  placeholder: 'A page, a site, a saved report …',
  groups: { pages: 'Pages', sites: 'Sites', reports: 'Saved reports' },
  results: 'Found',
  nothing: 'Nothing is called so.',
  manage: 'Manage campaigns',
  newCampaign: 'New campaign',
  newSegment: 'New segment',
  newAlert: 'New alert',
};
