import { useEffect, useState } from 'react';
import { followLive } from '../api/live';
import { addDelivery, type LiveDelivery, type LiveUnit } from './liveCampaigns';

/** Follows a site's campaigns for as long as the component is shown; undefined until the first window is there. */
export function useLiveCampaigns(site: string, unit: LiveUnit): LiveDelivery | undefined {
  const [delivery, setDelivery] = useState<LiveDelivery>();
  useEffect(() => {
    const stop = new AbortController();
    void followLive({
      path: `/live/campaigns?${new URLSearchParams({ site, unit }).toString()}`,
      signal: stop.signal,
      // The view's own stream says how the connection is.
      onStatus: () => undefined,
      onMessage: (message) => {
        setDelivery((known) => addDelivery(known?.unit === unit ? known : undefined, message));
      },
    });
    return () => {
      stop.abort();
    };
  }, [site, unit]);
  return delivery?.unit === unit ? delivery : undefined;
}
