"""Application commands with discord.py: slash commands, context menus, views, a modal and choices,
answered in each way that Discord has.
"""

import traceback

import discord
from discord import app_commands


class Who(discord.ui.Modal, title="Who?"):
    name = discord.ui.TextInput(label="Name", custom_id="name")

    async def on_submit(self, interaction):
        await interaction.response.send_message(f"Hello, {self.name.value}")


class Dice(discord.ui.View):
    def __init__(self, client):
        super().__init__()
        self.client = client

    @discord.ui.button(label="Again", custom_id="again")
    async def again(self, interaction, _button):
        await interaction.response.send_modal(Who())

    @discord.ui.button(label="Later", custom_id="later")
    async def later(self, interaction, _button):
        await interaction.response.defer()
        await interaction.edit_original_response(content="Later it is.")

    @discord.ui.select(custom_id="die", options=[discord.SelectOption(label=f"D{value}", value=value) for value in "68"])
    async def die(self, interaction, select):
        await interaction.response.edit_message(content=f"A die of {select.values[0]}")

    async def on_error(self, _interaction, error, _item):
        self.client.fail("".join(traceback.format_exception(error)))


def tree_of(client):
    """The commands as discord.py's guide registers them."""
    tree = app_commands.CommandTree(client)

    async def surely(_interaction, current):
        return [app_commands.Choice(name="Surely", value=f"{current}, of course")]

    @tree.command(description="Rolls dice")
    @app_commands.autocomplete(why=surely)
    async def roll(interaction, sides: int, why: str = ""):
        await interaction.response.send_message(f"{sides} sides{why}", view=Dice(client))

    @tree.command(description="Takes its time")
    async def think(interaction):
        await interaction.response.defer(thinking=True)
        await interaction.edit_original_response(content="Thought.")
        hidden = await interaction.followup.send("For you alone.", ephemeral=True, wait=True)
        await hidden.edit(content="For you.")
        await interaction.followup.send("For all.")
        if (await interaction.original_response()).content != "Thought.":
            raise RuntimeError("The answer is another one.")
        await interaction.delete_original_response()

    @tree.context_menu(name="Greet")
    async def greet(interaction, member: discord.Member):
        await interaction.response.send_message(f"Hello, {member.display_name}", ephemeral=True)

    @tree.context_menu(name="Quote")
    async def quote(interaction, message: discord.Message):
        await interaction.response.send_message(f'"{message.content}"')

    @tree.error
    async def failed(_interaction, error):
        client.fail("".join(traceback.format_exception(error)))

    return tree


async def commands(client, journey):
    """Everybody's uses of the bot, and what /sim shows of its answers."""
    same, use = journey.same, journey.use
    tree = tree_of(client)
    same("The commands", sorted(command.name for command in await tree.sync()), ["Greet", "Quote", "roll", "think"])

    rolled = await use(command="roll", options={"sides": 20})
    same("A command", [rolled["callback"], rolled["answer"]["content"]], [4, "20 sides"])
    message = rolled["answer"]["id"]
    thought = await use(lambda now: now["callback"] == 5 and not now["answer"] and len(now["followups"]) == 2, command="think")
    followed = [(one["content"], one["ephemeral"]) for one in thought["followups"]]
    same("A deferred answer, deleted, and what followed it", followed, [("For you.", True), ("For all.", False)])
    pressed = await use(messageId=message, customId="again")
    same("A modal", [pressed["callback"], pressed["modal"]["title"]], [9, "Who?"])
    sent = await use(modalOf=pressed["id"], fields={"name": "Wanda"})
    same("A modal sent off", [sent["callback"], sent["answer"]["content"]], [4, "Hello, Wanda"])
    later = await use(
        lambda now: now["answer"] and now["answer"]["content"] == "Later it is.", messageId=message, customId="later"
    )
    same("A message changed later", later["callback"], 6)
    chosen = await use(messageId=message, customId="die", values=["8"])
    same("A choice", [chosen["callback"], chosen["answer"]["content"]], [7, "A die of 8"])
    typed = await use(command="roll", options={"why": "f"}, focused="why")
    same("Choices", [typed["callback"], typed["choices"][0]["value"]], [8, "f, of course"])
    greeted = await use(command="Greet", targetId=str(journey.user_id))
    name = client.get_guild(journey.guild_id).get_member(journey.user_id).display_name
    same("A person's menu", [greeted["answer"]["content"], greeted["answer"]["ephemeral"]], [f"Hello, {name}", True])
    quoted = await use(command="Quote", targetId=message)
    same("A message's menu", quoted["answer"]["content"], '"A die of 8"')
    for capability in (
        "slash commands",
        "context menus",
        "buttons, selects and modals",
        "autocomplete",
        "followups, edited and deleted answers",
    ):
        journey.proved(capability)
    tree.clear_commands(guild=None)
    await tree.sync()
    await journey.told("interactions")
