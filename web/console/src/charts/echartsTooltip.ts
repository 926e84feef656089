import { TooltipComponent } from 'echarts/components';
import { register } from './echarts';

// With the pointer that follows an axis.
register([TooltipComponent]);
