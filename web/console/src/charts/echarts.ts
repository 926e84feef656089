// What every chart needs of ECharts, and no more; the first view's chart (a custom series) draws with this alone.
import { CustomChart } from 'echarts/charts';
import { GridComponent, TooltipComponent } from 'echarts/components';
import { init, use as register } from 'echarts/core';
import { CanvasRenderer } from 'echarts/renderers';

register([CustomChart, GridComponent, TooltipComponent, CanvasRenderer]);

export { init, register };
