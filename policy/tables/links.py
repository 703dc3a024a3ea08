"""The properties that decide whether connections to a data store use TLS, as input paths of the aws provider."""

from dataclasses import dataclass
from typing import Any, Final


@dataclass(frozen=True)
class Link:
    """A property that decides whether connections to a data store use TLS.

    satisfied: the values that require TLS. default: whether AWS uses TLS if the property isn't set; block_default: whether it
    does if only the last step of the path isn't set. without: the property isn't evaluated if one of these is
    set. control: the Security Hub control.
    """

    type: str
    path: str
    satisfied: tuple[Any, ...] = (True, "true")
    default: bool = False
    block_default: bool = False
    check: str = "store-transit"
    without: tuple[str, ...] = ()
    control: str = ""


# The policies of search domains that accept TLS 1.2 or newer only. Source: DomainEndpointOptions in the OpenSearch Service API.
_SEARCH_TLS: Final = (
    "Policy-Min-TLS-1-2-2019-07",
    "Policy-Min-TLS-1-2-PFS-2023-10",
    "Policy-Min-TLS-1-2-RFC9151-FIPS-2024-08",
)

LINKS: Final[tuple[Link, ...]] = (
    Link(
        *("elasticache/replicationGroup", "transitEncryptionEnabled"),
        check="cache-transit",
        without=("globalReplicationGroupId",),
        control="ElastiCache.5",
    ),
    Link(
        *("elasticache/replicationGroup", "transitEncryptionMode", ("required",)),
        default=True,
        check="cache-transit",
        control="ElastiCache.5",
    ),
    # Memcached from 1.6.12; a Redis node inherits the encryption of its replication group.
    Link("elasticache/cluster", "transitEncryptionEnabled", check="cache-transit", without=("replicationGroupId",)),
    Link("memorydb/cluster", "tlsEnabled", default=True, check="cache-transit"),
    Link("dax/cluster", "clusterEndpointEncryptionType", ("TLS",), check="cache-transit", control="DynamoDB.7"),
    Link("appsync/apiCache", "transitEncryptionEnabled", check="cache-transit", control="AppSync.6"),
    Link("opensearch/domain", "nodeToNodeEncryption.enabled", control="Opensearch.3"),
    Link("opensearch/domain", "domainEndpointOptions.enforceHttps", block_default=True, control="Opensearch.8"),
    Link(
        *("opensearch/domain", "domainEndpointOptions.tlsSecurityPolicy", _SEARCH_TLS),
        default=True,
        control="Opensearch.8",
    ),
    Link("elasticsearch/domain", "domainEndpointOptions.tlsSecurityPolicy", _SEARCH_TLS, default=True, control="ES.8"),
    Link("elasticsearch/domain", "nodeToNodeEncryption.enabled", control="ES.3"),
    Link("elasticsearch/domain", "domainEndpointOptions.enforceHttps", block_default=True, control="ES.8"),
    Link("msk/cluster", "encryptionInfo.encryptionInTransit.clientBroker", ("TLS",), default=True),
    Link("msk/cluster", "encryptionInfo.encryptionInTransit.inCluster", default=True, control="MSK.1"),
    Link("mskconnect/connector", "kafkaClusterEncryptionInTransit.encryptionType", ("TLS",), control="MSK.3"),
    Link("rds/proxy", "requireTls"),
    Link("datasync/efsLocation", "inTransitEncryption", ("TLS1_2",)),
    Link("dms/endpoint", "redisSettings.sslSecurityProtocol", ("ssl-encryption",), default=True),
    Link(
        *("dms/endpoint", "kafkaSettings.securityProtocol", ("ssl-encryption", "ssl-authentication", "sasl-ssl")),
        default=True,
    ),
    # What isn't HTTP; AWS sends it over TLS, or without a connection of the subscriber.
    Link(
        *("sns/topicSubscription", "protocol"),
        ("https", "application", "email", "email-json", "firehose", "lambda", "sms", "sqs"),
    ),
)
