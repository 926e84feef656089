import { render } from 'preact';
import { App } from './app/App';
import { followLinks } from './app/router';
import './styles/tokens.css';
import './styles/portal.css';
import './styles/pages.css';
import './styles/ads.css';
import './styles/panel.css';

const root = document.getElementById('root');
if (root !== null) render(<App />, root);
document.addEventListener('click', followLinks);
