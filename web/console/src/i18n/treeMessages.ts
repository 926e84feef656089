// The words of a rule's boxes, of segments and of targeting.
import { format } from './format';

export const treeMessages = {
  joins: { all: 'all of these', any: 'any of these' },
  addCondition: 'Add condition',
  addGroup: 'Add group',
  condition: (index: number) => `Condition ${format.count(index)}`,
  group: (index: number) => `Group ${format.count(index)}`,
  not: 'Not',
  remove: (name: string) => `Remove ${name.toLowerCase()}`,
};
