// The words of a report's filters, and of types of events.
export const filterMessages = {
  addFilter: 'Where …',
  filterDimension: 'Where',
  filterIs: 'Is',
  filterOps: { is: 'is one of', not: 'is none of' },
  values: 'Values',
  valuesHint: 'separated by commas',
  removeFilter: 'Remove this filter',
  anyType: 'any event',
  addType: 'Add event',
  removeType: (type: string) => `Without ${type}`,
};
