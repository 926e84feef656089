"""Makes or renews Superset's own data: tables, roles, and an administrator with the password of SUPERSET_PASSWORD. Run by Superset's Python
with superset_config.py; what `superset db upgrade`, `superset fab create-admin` and `superset init` do, in one process instead of three
that each take seconds to start."""

import os

from flask_migrate import upgrade
from superset.app import create_app
from superset.cli.main import superset  # noqa: F401  (its import registers what init needs)

USER = "admin"


def main() -> None:
    app = create_app()
    with app.app_context():
        upgrade()
        # Known only after the app: they are its own.
        from superset.extensions import appbuilder, security_manager

        appbuilder.add_permissions(update_perms=True)
        security_manager.sync_role_definitions()
        password = os.environ["SUPERSET_PASSWORD"]
        person = security_manager.find_user(USER)
        if person is None:
            security_manager.add_user(USER, "Marquee", "Administrator", "admin@marquee.invalid", security_manager.find_role("Admin"), password)
        else:
            security_manager.reset_password(person.id, password)


if __name__ == "__main__":
    main()
