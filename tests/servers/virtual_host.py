"""A virtual host on a private RabbitMQ, with its own user, separate from the queues of other tests."""

from yarl import URL

from tests.servers.rabbitmq import PrivateRabbitMQ

_ALL_OF_IT = ", ".join(['<<".*">>'] * 3)


class VirtualHost:
    """A virtual host. Its user has the same name as the host."""

    def __init__(self, node: PrivateRabbitMQ, name: str, password: str) -> None:
        self._node = node
        self._name = name
        self._user = f'<<"{name}">>'
        self._url = URL(node.url).with_path(f"/{name}").with_user(name)
        node.evaluate(f'rabbit_vhost:add({self._user}, <<"tests">>)')
        self._call("rabbit_auth_backend_internal:add_user", f'<<"{password}">>', '<<"tests">>')
        may = f'{self._user}, {_ALL_OF_IT}, <<"tests">>'
        self._call("rabbit_auth_backend_internal:set_permissions", may)

    def url(self, password: str) -> str:
        return str(self._url.with_password(password))

    def change_password(self, password: str) -> None:
        self._call("rabbit_auth_backend_internal:change_password", f'<<"{password}">>', '<<"tests">>')

    def close_connections(self) -> None:
        self._call("rabbit_networking:close_all_user_connections", '"by the tests"')

    def _call(self, function: str, *arguments: str) -> None:
        self._node.evaluate(f"{function}({', '.join((self._user, *arguments))})")
