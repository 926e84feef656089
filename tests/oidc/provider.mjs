// A provider of OpenID Connect on loopback (oidc-provider): prints its issuer, and serves until it is ended.
// Environment: REDIRECT_URI, of the client. Whoever signs in at its own page is called what is typed there; the part before the first
// dash is the group: admins-ravi, editors-ravi, others-ravi.
import { generateKeyPairSync } from 'node:crypto';
import { createServer } from 'node:http';
import Provider from 'oidc-provider';

function key(kind, options, alg) {
  const { privateKey } = generateKeyPairSync(kind, options);
  return { ...privateKey.export({ format: 'jwk' }), use: 'sig', alg, kid: `${alg}-1` };
}

const redirects = [process.env.REDIRECT_URI];
const server = createServer();
server.listen(0, '127.0.0.1', () => {
  const issuer = `http://127.0.0.1:${server.address().port}`;
  const client = { redirect_uris: redirects, grant_types: ['authorization_code'], response_types: ['code'] };
  const provider = new Provider(issuer, {
    clients: [
      { ...client, client_id: 'marquee', client_secret: 'se cret+/&', id_token_signed_response_alg: 'RS256' },
      { ...client, client_id: 'marquee-public', token_endpoint_auth_method: 'none', id_token_signed_response_alg: 'ES256' },
    ],
    jwks: { keys: [key('rsa', { modulusLength: 2048 }, 'RS256'), key('ec', { namedCurve: 'P-256' }, 'ES256')] },
    cookies: { keys: ['only of a test'] },
    // Else claims come by the userinfo endpoint only.
    conformIdTokenClaims: false,
    claims: { openid: ['sub'], profile: ['preferred_username'], email: ['email', 'email_verified'], groups: ['groups'] },
    scopes: ['openid', 'profile', 'email', 'groups'],
    pkce: { required: () => true },
    findAccount: (_context, id) => ({
      accountId: id,
      claims: () => ({ sub: id, preferred_username: id, email: `${id}@campus.example`, email_verified: true, groups: [id.split('-')[0], 'everybody'] }),
    }),
  });
  server.on('request', provider.callback());
  console.log(issuer);
});
