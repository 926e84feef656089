"""Superset beside a Marquee on one machine. Superset reads it by SUPERSET_CONFIG_PATH; tools/run-bi and the tests set:

    SUPERSET_DIR           directory of Superset's own data (users, charts), in SQLite
    SUPERSET_SECRET_KEY    what it signs sessions and keeps the store's password with (Superset's own variable)
"""

import os

SQLALCHEMY_DATABASE_URI = f"sqlite:///{os.environ['SUPERSET_DIR']}/superset.db?check_same_thread=false"
SQLALCHEMY_TRACK_MODIFICATIONS = False
APP_NAME = "Marquee"

# Plain HTTP on this machine. Pages load nothing from elsewhere and tell nobody of their use: Superset's own policy lets its pages
# fetch a counting image from its makers.
TALISMAN_CONFIG = {
    "content_security_policy": {
        "base-uri": ["'self'"], "default-src": ["'self'"], "img-src": ["'self'", "blob:", "data:"], "worker-src": ["'self'", "blob:"],
        "connect-src": ["'self'"], "object-src": "'none'", "style-src": ["'self'", "'unsafe-inline'"],
        "script-src": ["'self'", "'strict-dynamic'"]},
    "content_security_policy_nonce_in": ["script-src"], "force_https": False, "session_cookie_secure": False}
SESSION_COOKIE_SAMESITE = "Lax"

# One process: its memory is cache enough. Answers themselves are never kept: the store is fast, and a chart shows what is.
_IN_MEMORY = {"CACHE_TYPE": "SimpleCache", "CACHE_DEFAULT_TIMEOUT": 86_400}
FILTER_STATE_CACHE_CONFIG = _IN_MEMORY
EXPLORE_FORM_DATA_CACHE_CONFIG = _IN_MEMORY
DATA_CACHE_CONFIG = {"CACHE_TYPE": "NullCache"}
