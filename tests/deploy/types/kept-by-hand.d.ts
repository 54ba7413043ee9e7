// Kinds whose types no package publishes, as far as deploy/k8s uses them: RabbitmqCluster after the CRD of RabbitMQ's
// cluster operator, ObjectStore after that of the Barman Cloud plugin, ScaledObject and TriggerAuthentication after
// KEDA's, whose triggers' metadata are those of its scalers `cpu` and `rabbitmq`.
import type { IBarmanObjectStoreConfiguration } from "@kubernetes-models/cloudnative-pg/github.com/cloudnative-pg/barman-cloud/pkg/api/BarmanObjectStoreConfiguration";
import type { IIoK8sApimachineryPkgApisMetaV1ObjectMeta as Metadata } from "@kubernetes-models/apimachinery/apis/meta/v1/ObjectMeta";
import type { IIoK8sApiCoreV1Affinity as Affinity } from "kubernetes-models/v1/Affinity";
import type { IIoK8sApiCoreV1PodSpec as PodSpec } from "kubernetes-models/v1/PodSpec";
import type { IIoK8sApiCoreV1ResourceRequirements as Resources } from "kubernetes-models/v1/ResourceRequirements";

export interface IRabbitmqCluster {
  apiVersion: "rabbitmq.com/v1beta1";
  kind: "RabbitmqCluster";
  metadata: Metadata;
  spec: {
    image?: string;
    replicas?: number;
    tls?: { secretName?: string; caSecretName?: string; disableNonTLSListeners?: boolean };
    persistence?: { storage?: string; storageClassName?: string };
    resources?: Resources;
    affinity?: Affinity;
    rabbitmq?: { additionalConfig?: string; advancedConfig?: string; additionalPlugins?: string[] };
    override?: { statefulSet?: { spec?: { template?: { spec?: PodSpec } } } };
  };
}

export interface IObjectStore {
  apiVersion: "barmancloud.cnpg.io/v1";
  kind: "ObjectStore";
  metadata: Metadata;
  spec: { configuration: IBarmanObjectStoreConfiguration; retentionPolicy?: string };
}

export interface IScaledObject {
  apiVersion: "keda.sh/v1alpha1";
  kind: "ScaledObject";
  metadata: Metadata;
  spec: {
    scaleTargetRef: { name: string; apiVersion?: string; kind?: string };
    minReplicaCount?: number;
    maxReplicaCount?: number;
    pollingInterval?: number;
    triggers: (
      | { type: "cpu"; metricType: "Utilization" | "AverageValue"; metadata: { value: string } }
      | {
          type: "rabbitmq";
          metadata: {
            protocol: "amqp" | "http" | "auto";
            host: string;
            queueName: string;
            mode: "QueueLength" | "MessageRate";
            value: string;
          };
          authenticationRef: { name: string };
        }
    )[];
  };
}

interface IOfKey {
  parameter: string;
  name: string;
  key: string;
}

export interface ITriggerAuthentication {
  apiVersion: "keda.sh/v1alpha1";
  kind: "TriggerAuthentication";
  metadata: Metadata;
  spec: { secretTargetRef?: IOfKey[]; configMapTargetRef?: IOfKey[] };
}
