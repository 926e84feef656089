import { createRootRoute, createRoute, createRouter, lazyRouteComponent, redirect } from '@tanstack/react-router';
import {
  alertsSearch, campaignsSearch, ctrSearch, exploreSearch, funnelSearch, heatmapSearch, liveSearch, manageSearch, overviewSearch, parseAddress,
  pathsSearch, personalizationSearch, pipelineSearch, printAddress, retentionSearch, savedListSearch, savedSearch, segmentsSearch,
  settingsSearch, sqlSearch,
} from '../state/search';
import { NotFound } from '../views/NotFound';
import { Shell } from './Shell';

const root = createRootRoute({ component: Shell, notFoundComponent: NotFound });

const home = createRoute({
  getParentRoute: () => root,
  path: '/',
  beforeLoad: () => {
    throw redirect({ to: '/overview', replace: true });
  },
});
const overview = createRoute({
  getParentRoute: () => root,
  path: '/overview',
  validateSearch: overviewSearch,
  component: lazyRouteComponent(() => import('../views/OverviewView'), 'OverviewView'),
});
const ctr = createRoute({
  getParentRoute: () => root,
  path: '/ctr',
  validateSearch: ctrSearch,
  component: lazyRouteComponent(() => import('../views/CtrView'), 'CtrView'),
});
const explore = createRoute({
  getParentRoute: () => root,
  path: '/explore',
  validateSearch: exploreSearch,
  component: lazyRouteComponent(() => import('../views/ExploreView'), 'ExploreView'),
});
const sql = createRoute({
  getParentRoute: () => root,
  path: '/sql',
  validateSearch: sqlSearch,
  component: lazyRouteComponent(() => import('../views/SqlView'), 'SqlView'),
});
const heatmap = createRoute({
  getParentRoute: () => root,
  path: '/heatmap',
  validateSearch: heatmapSearch,
  component: lazyRouteComponent(() => import('../views/HeatmapView'), 'HeatmapView'),
});
const funnel = createRoute({
  getParentRoute: () => root,
  path: '/funnel',
  validateSearch: funnelSearch,
  component: lazyRouteComponent(() => import('../views/FunnelView'), 'FunnelView'),
});
const retention = createRoute({
  getParentRoute: () => root,
  path: '/retention',
  validateSearch: retentionSearch,
  component: lazyRouteComponent(() => import('../views/RetentionView'), 'RetentionView'),
});
const paths = createRoute({
  getParentRoute: () => root,
  path: '/paths',
  validateSearch: pathsSearch,
  component: lazyRouteComponent(() => import('../views/PathsView'), 'PathsView'),
});
const campaigns = createRoute({
  getParentRoute: () => root,
  path: '/campaigns',
  validateSearch: campaignsSearch,
  component: lazyRouteComponent(() => import('../views/CampaignsView'), 'CampaignsView'),
});
const manage = createRoute({
  getParentRoute: () => root,
  path: '/campaigns/manage',
  validateSearch: manageSearch,
  component: lazyRouteComponent(() => import('../views/ManageView'), 'ManageView'),
});
const live = createRoute({
  getParentRoute: () => root,
  path: '/live',
  validateSearch: liveSearch,
  component: lazyRouteComponent(() => import('../views/LiveView'), 'LiveView'),
});
const alerts = createRoute({
  getParentRoute: () => root,
  path: '/alerts',
  validateSearch: alertsSearch,
  component: lazyRouteComponent(() => import('../views/AlertsView'), 'AlertsView'),
});
const personalization = createRoute({
  getParentRoute: () => root,
  path: '/personalization',
  validateSearch: personalizationSearch,
  component: lazyRouteComponent(() => import('../views/PersonalizationView'), 'PersonalizationView'),
});
const pipeline = createRoute({
  getParentRoute: () => root,
  path: '/pipeline',
  validateSearch: pipelineSearch,
  component: lazyRouteComponent(() => import('../views/PipelineView'), 'PipelineView'),
});
const savedList = createRoute({
  getParentRoute: () => root,
  path: '/saved',
  validateSearch: savedListSearch,
  component: lazyRouteComponent(() => import('../views/SavedListView'), 'SavedListView'),
});
const segments = createRoute({
  getParentRoute: () => root,
  path: '/segments',
  validateSearch: segmentsSearch,
  component: lazyRouteComponent(() => import('../views/SegmentsView'), 'SegmentsView'),
});
const saved = createRoute({
  getParentRoute: () => root,
  path: '/r/$id',
  validateSearch: savedSearch,
  component: lazyRouteComponent(() => import('../views/SavedView'), 'SavedView'),
});

const settings = createRoute({
  getParentRoute: () => root,
  path: '/settings',
  validateSearch: settingsSearch,
  component: lazyRouteComponent(() => import('../views/SettingsView'), 'SettingsView'),
});

export const router = createRouter({
  routeTree: root.addChildren([
    home, overview, ctr, explore, sql, heatmap, funnel, retention, paths, campaigns, manage, live, alerts, personalization, pipeline, segments, savedList, saved,
    settings,
  ]),
  defaultPreload: 'intent',
  scrollRestoration: true,
  parseSearch: parseAddress,
  stringifySearch: printAddress,
});

declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router;
  }
}
