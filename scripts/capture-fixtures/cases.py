"""The Python SDKs, one case each: `cases.py SDK CASE`. PROVIDER is the address of the mock provider and receiver."""

import asyncio
import json
import os
import sys

PROVIDER = os.environ["PROVIDER"]
OPENAI = f"{PROVIDER}/openai/v1"
MODEL = "gpt-4o-mini"
CLAUDE = "claude-sonnet-4-5-20250929"
MESSAGES = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "What is the capital of Switzerland?"}]
QUESTION = [{"role": "user", "content": "What is the weather in Bern?"}]
TOOLS = [
    {
        "type": "function",
        "function": {
            "name": "get_weather",
            "description": "The weather of a city.",
            "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
        },
    }
]


def provider():
    from opentelemetry import trace
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor

    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(OTLPSpanExporter(endpoint=f"{PROVIDER}/v1/traces")))
    trace.set_tracer_provider(provider)
    return provider


def client(module=None):
    if module is None:
        import openai as module
    return module.OpenAI(base_url=OPENAI, api_key="sk-test", max_retries=0)


def openai_calls(client, case):
    """The same calls for every SDK that instruments OpenAI's."""
    chat = client.chat.completions
    if case == "chat":
        chat.create(model=MODEL, messages=MESSAGES, temperature=0.5, max_tokens=100)
    elif case == "stream":
        options = {"include_usage": True}
        for _ in chat.create(model=MODEL, messages=MESSAGES, stream=True, stream_options=options):
            pass
    elif case == "tools":
        first = chat.create(model=MODEL, messages=QUESTION, tools=TOOLS).choices[0].message
        answer = {"role": "tool", "tool_call_id": "call_1", "content": "rain"}
        chat.create(model=MODEL, messages=[*QUESTION, first.model_dump(exclude_none=True), answer], tools=TOOLS)
    elif case == "embeddings":
        client.embeddings.create(model="text-embedding-3-small", input=["Bern", "Basel"])
    elif case in ("limited", "bad"):
        try:
            chat.create(model=f"gpt-4o-{case}", messages=MESSAGES)
        except Exception as error:
            print(type(error).__name__)


def anthropic_calls(case):
    import anthropic

    client = anthropic.Anthropic(base_url=f"{PROVIDER}/anthropic", api_key="test", max_retries=0)
    asked = {
        "model": CLAUDE,
        "max_tokens": 100,
        "system": [{"type": "text", "text": "Be brief.", "cache_control": {"type": "ephemeral"}}],
        "messages": MESSAGES[1:],
    }
    if case == "anthropic":
        client.messages.create(**asked)
    else:
        for _ in client.messages.create(**asked, stream=True):
            pass


def openinference(case):
    traced = provider()
    if case.startswith("anthropic"):
        from openinference.instrumentation.anthropic import AnthropicInstrumentor

        AnthropicInstrumentor().instrument(tracer_provider=traced)
        return anthropic_calls(case)
    from openinference.instrumentation import using_attributes
    from openinference.instrumentation.openai import OpenAIInstrumentor

    OpenAIInstrumentor().instrument(tracer_provider=traced)
    with using_attributes(session_id="s-1", user_id="u-1", tags=["capture", "test"]):
        openai_calls(client(), case)


def traceloop(case):
    traced = provider()
    if case.startswith("anthropic"):
        from opentelemetry.instrumentation.anthropic import AnthropicInstrumentor

        AnthropicInstrumentor().instrument(tracer_provider=traced)
        return anthropic_calls(case)
    from opentelemetry.instrumentation.openai import OpenAIInstrumentor

    OpenAIInstrumentor(enrich_assistant=False).instrument(tracer_provider=traced)
    openai_calls(client(), case)


def genai(case):
    traced = provider()
    from opentelemetry.instrumentation.openai_v2 import OpenAIInstrumentor

    OpenAIInstrumentor().instrument(tracer_provider=traced)
    openai_calls(client(), case)


def langfuse(case):
    from langfuse import Langfuse, observe, propagate_attributes

    langfuse = Langfuse(public_key="pk-lf-1", secret_key="sk-lf-1", base_url=PROVIDER, environment="staging", release="1.2.3")
    import langfuse.openai as wrapped

    if case == "agent":

        @observe(as_type="retriever")
        def search(query):
            return ["Bern is in Switzerland."]

        @observe(as_type="agent")
        def agent(question):
            search(question)
            client(wrapped.openai).chat.completions.create(model=MODEL, messages=MESSAGES)
            return "Bern"

        with propagate_attributes(user_id="u-1", session_id="s-1", tags=["capture"]):
            agent("Which city?")
    elif case == "anthropic":
        with Langfuse.start_as_current_observation(
            langfuse_client(),
            as_type="generation",
            name="claude",
            model=CLAUDE,
            input=MESSAGES,
            output="Bern is the capital.",
            usage_details={"input": 40, "cache_read_input_tokens": 200, "cache_creation_input_tokens": 300, "output": 30},
        ):
            pass
    else:
        openai_calls(client(wrapped.openai), case)
    langfuse_client().flush()


def langfuse_client():
    from langfuse import get_client

    return get_client()


def brokle(case):
    from brokle import get_client, observe
    from brokle.wrappers import wrap_openai

    brokle = get_client()
    if case == "agent":

        @observe(name="search", as_type="retrieval")
        def search(query):
            return ["Bern is in Switzerland."]

        @observe(name="agent", as_type="agent", user_id="u-1", session_id="s-1", tags=["capture"])
        def agent(question):
            search(question)
            wrap_openai(client()).chat.completions.create(model=MODEL, messages=MESSAGES)
            return "Bern"

        agent("Which city?")
    else:
        openai_calls(wrap_openai(client()), case)
    brokle.flush()
    brokle.shutdown()


def pydantic_ai(case):
    traced = provider()
    from pydantic_ai import Agent
    from pydantic_ai.models.instrumented import InstrumentationSettings
    from pydantic_ai.models.openai import OpenAIChatModel
    from pydantic_ai.providers.openai import OpenAIProvider

    Agent.instrument_all(InstrumentationSettings(tracer_provider=traced))
    name = MODEL if case in ("chat", "tools", "stream") else f"gpt-4o-{case}"
    model = OpenAIChatModel(name, provider=OpenAIProvider(base_url=OPENAI, api_key="sk-test"))
    agent = Agent(model, instructions="Be brief.", name="geographer")
    if case == "tools":

        @agent.tool_plain
        def get_weather(city: str) -> str:
            """The weather of a city."""
            return "rain"

    async def run():
        if case == "stream":
            async with agent.run_stream("What is the capital of Switzerland?") as result:
                async for _ in result.stream_text():
                    pass
            return
        try:
            await agent.run("What is the weather in Bern?" if case == "tools" else "What is the capital of Switzerland?")
        except Exception as error:
            print(type(error).__name__)

    asyncio.run(run())


def litellm(case):
    os.environ["OTEL_EXPORTER"] = "otlp_http"
    os.environ["OTEL_ENDPOINT"] = os.environ["OTEL_EXPORTER_OTLP_ENDPOINT"] = f"{PROVIDER}/v1/traces"
    import time

    import litellm

    litellm.telemetry = False
    litellm.callbacks = ["otel"]
    asked = {"model": f"openai/{MODEL}", "api_base": OPENAI, "api_key": "sk-test", "num_retries": 0, "user": "u-1"}
    try:
        if case == "chat":
            litellm.completion(**asked, messages=MESSAGES, temperature=0.5)
        elif case == "stream":
            for _ in litellm.completion(**asked, messages=MESSAGES, stream=True, stream_options={"include_usage": True}):
                pass
        elif case == "tools":
            litellm.completion(**asked, messages=QUESTION, tools=TOOLS)
        elif case == "embeddings":
            litellm.embedding(**(asked | {"model": "openai/text-embedding-3-small"}), input=["Bern", "Basel"])
        elif case == "anthropic":
            base = {"api_base": f"{PROVIDER}/anthropic", "api_key": "test"}
            litellm.completion(**(asked | base | {"model": f"anthropic/{CLAUDE}"}), messages=MESSAGES)
        else:
            litellm.completion(**(asked | {"model": f"openai/gpt-4o-{case}"}), messages=MESSAGES)
    except Exception as error:
        print(type(error).__name__)
    # Its callbacks run in threads of its own.
    time.sleep(3)
    from opentelemetry import trace

    trace.get_tracer_provider().force_flush()


def langchain_calls(case):
    """A retriever before a model, and an agent with a tool, as LangChain does them."""
    from langchain.agents import create_agent
    from langchain_core.documents import Document
    from langchain_core.prompts import ChatPromptTemplate
    from langchain_core.retrievers import BaseRetriever
    from langchain_core.runnables import RunnablePassthrough
    from langchain_core.tools import tool
    from langchain_openai import ChatOpenAI

    class Cities(BaseRetriever):
        def _get_relevant_documents(self, query, *, run_manager):
            return [
                Document(page_content="Bern is in Switzerland.", metadata={"source": "atlas", "page": 7}, id="d-1"),
                Document(page_content="Basel is on the Rhine.", metadata={"source": "atlas", "page": 9}, id="d-2"),
            ]

    @tool
    def get_weather(city: str) -> str:
        """The weather of a city."""
        return "rain"

    model = ChatOpenAI(model=MODEL, base_url=OPENAI, api_key="sk-test", max_retries=0)
    if case == "retrieval":
        prompt = ChatPromptTemplate.from_messages([("system", "Answer from: {context}"), ("user", "{question}")])
        chain = {"context": Cities(), "question": RunnablePassthrough()} | prompt | model
        chain.invoke("What is the capital of Switzerland?")
    else:
        agent = create_agent(model, [get_weather], system_prompt="Be brief.", name="geographer")
        agent.invoke({"messages": QUESTION})


def openinference_langchain(case):
    traced = provider()
    from openinference.instrumentation.langchain import LangChainInstrumentor

    LangChainInstrumentor().instrument(tracer_provider=traced)
    langchain_calls(case)


def traceloop_langchain(case):
    traced = provider()
    from opentelemetry.instrumentation.langchain import LangchainInstrumentor

    LangchainInstrumentor().instrument(tracer_provider=traced)
    langchain_calls(case)


def logfire(case):
    import logfire
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor

    exporter = SimpleSpanProcessor(OTLPSpanExporter(endpoint=f"{PROVIDER}/v1/traces"))
    logfire.configure(send_to_logfire=False, console=False, additional_span_processors=[exporter], environment="staging")
    openai = client()
    logfire.instrument_openai(openai)
    with logfire.span("answering {who}", who="a tourist"):
        openai_calls(openai, case)
    logfire.force_flush()


def openlit(case):
    # It reads this one as yes or no.
    os.environ["OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"] = "true"
    import openlit

    openlit.init(
        otlp_endpoint=PROVIDER,
        application_name="capture",
        environment="staging",
        disable_batch=True,
        disable_metrics=True,
        capture_message_content=True,
    )
    if case.startswith("anthropic"):
        return anthropic_calls(case)
    openai_calls(client(), case)


if __name__ == "__main__":
    sdk, case = sys.argv[1:]
    globals()[sdk.replace("-", "_")](case)
