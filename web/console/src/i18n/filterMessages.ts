// The words of a report's filters.
export const filterMessages = {
  addFilter: 'Where …',
  filterDimension: 'Where',
  filterIs: 'Is',
  filterOps: { is: 'is one of', not: 'is none of' },
  values: 'Values',
  valuesHint: 'separated by commas',
  removeFilter: 'Remove this filter',
};
