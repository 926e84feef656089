import { SankeyChart } from 'echarts/charts';
import { register } from './echarts';

register([SankeyChart]);
