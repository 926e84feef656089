import type { Ad } from '../api/catalog';
import { manageMessages as words } from '../i18n/manageMessages';

function text(ad: Ad, field: string): string {
  const value = ad.creative.fields?.[field];
  return typeof value === 'string' ? value : '';
}

/** Where an address leads, for who reads it. */
function hostOf(address: string): string {
  return /^https?:\/\/([^/?#]+)/.exec(address)?.[1] ?? '';
}

/**
 * About as a page draws it. Pictures of other hosts are shown by what they say and their size alone: the console loads nothing from
 * elsewhere. HTML runs no script here.
 */
export function AdPreview({ ad }: { ad: Ad }) {
  const { kind, width = 0, height = 0, landing_url } = ad.creative;
  const size = width > 0 && height > 0 ? { aspectRatio: `${width} / ${height}` } : {};
  return (
    <figure className="preview" aria-label={words.preview(ad.name)}>
      <div className={`preview-box ${kind}`} style={kind === 'image' ? size : {}}>
        {kind === 'image' ? (
          <PreviewImage ad={ad} />
        ) : kind === 'html' ? (
          <iframe title={words.preview(ad.name)} sandbox="" srcDoc={text(ad, 'html')} style={{ height: height > 0 ? Math.min(height, 260) : 160 }} />
        ) : (
          <>
            {kind === 'card' && text(ad, 'image') !== '' ? <PreviewImage ad={ad} /> : null}
            <b>{text(ad, 'title') || words.fieldNames.title}</b>
            <p>{text(ad, 'body') || words.fieldNames.body}</p>
            <span className="cell-faint">{hostOf(landing_url)}</span>
          </>
        )}
      </div>
      <figcaption className="hint cell-faint">
        {words.previewNote}
        {width > 0 && height > 0 ? ` · ${width} × ${height}` : ''}
      </figcaption>
    </figure>
  );
}

function PreviewImage({ ad }: { ad: Ad }) {
  const address = text(ad, 'image');
  if (address.startsWith('data:image/')) return <img src={address} alt={text(ad, 'alt')} />;
  return (
    <span className="preview-image">
      <span>{text(ad, 'alt') || words.noImage}</span>
      {/^https?:\/\//.test(address) ? (
        <a href={address} target="_blank" rel="noreferrer">
          {hostOf(address)}
        </a>
      ) : null}
    </span>
  );
}
