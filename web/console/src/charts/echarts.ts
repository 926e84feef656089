// What every chart needs of ECharts to be drawn, and no more; the CTR view's chart (a custom series) draws with this alone. Tooltips
// come after it (echartsTooltip.ts).
import { CustomChart } from 'echarts/charts';
import { GridSimpleComponent } from 'echarts/components';
import { init, use as register } from 'echarts/core';
import { CanvasRenderer } from 'echarts/renderers';

register([CustomChart, GridSimpleComponent, CanvasRenderer]);

export { init, register };
