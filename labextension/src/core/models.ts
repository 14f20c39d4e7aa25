/** The values of the REST interface and of the live websocket, as `qconnect_web/openapi.yaml` describes them. */
import type { components } from './openapi';

type Schemas = components['schemas'];

/** What a tile can start. */
export type IApp = Schemas['App'];
export type AppKind = Schemas['AppKind'];

/** The site's apps, sentences about app files that are wrong and not used, and the path of the command line's program. */
export type ICatalogue = Schemas['Catalogue'];

/** One app in one job; `url` is a path of this server. */
export type ISession = Schemas['Session'];

/** What a user sees of a session. */
export type SessionState = Schemas['SessionState'];
export type IJob = Schemas['Job'];
export type IJobSpec = Schemas['JobSpec'];

/** The body of a start: what the user changed of the app's defaults. */
export type IStartRequest = Schemas['StartRequest'];
export type IQueue = Schemas['Queue'];
export type IQueueList = Schemas['QueueList'];

/** What an examination found, of one thing; and the small job that may belong to it. */
export type IFinding = Schemas['Finding'];
export type IExamination = Schemas['Examination'];
export type IProbe = Schemas['Probe'];

/** What a viewer page says about once a second, and what it is answered. */
export type ILiveRequest = Schemas['LiveRequest'];
export type ILiveAnswer = Schemas['LiveAnswer'];
export type IClientAddress = Schemas['ClientAddress'];
export type IOwner = Schemas['Owner'];
export type ILoginQuestion = Schemas['LoginQuestion'];
export type ILoginAnswer = Schemas['LoginAnswer'];
export type ITrouble = Schemas['Trouble'];

/** The launch form of an app, as JSON Schema and as it is just now; what was asked for and is kept. */
export type IForm = Schemas['Form'];
export type IFormField = Schemas['FormField'];
export type IFormRule = Schemas['FormRule'];
export type IValue = Schemas['Value'];
export type ILimit = Schemas['Limit'];
export type ILaunchForm = Schemas['LaunchForm'];
export type ISettings = Schemas['Settings'];
export type ISpecRequest = Schemas['SpecRequest'];
