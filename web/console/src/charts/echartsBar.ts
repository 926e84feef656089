import { BarChart } from 'echarts/charts';
import { register } from './echarts';

register([BarChart]);
