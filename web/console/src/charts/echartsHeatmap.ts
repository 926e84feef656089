import { HeatmapChart } from 'echarts/charts';
import { VisualMapContinuousComponent } from 'echarts/components';
import { register } from './echarts';

register([HeatmapChart, VisualMapContinuousComponent]);
