import { LineChart } from 'echarts/charts';
import { register } from './echarts';

register([LineChart]);
