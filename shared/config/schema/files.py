"""The files of the configuration directory, and the schema of each."""

from shared.config.schema.base import Model
from shared.config.schema.campaigns import CampaignsFile
from shared.config.schema.channels import ChannelsFile
from shared.config.schema.people import AccessFile, PeopleFile, RostersFile
from shared.config.schema.places import FacilitiesFile, TerritoriesFile
from shared.config.schema.policies import PoliciesFile
from shared.config.schema.rollups import RollupsFile
from shared.config.schema.rules import RulesFile
from shared.config.schema.sheets import SheetsFile
from shared.config.schema.site import SiteFile

FILES: dict[str, type[Model]] = {
    "site": SiteFile,
    "territories": TerritoriesFile,
    "access": AccessFile,
    "facilities": FacilitiesFile,
    "people": PeopleFile,
    "rosters": RostersFile,
    "policies": PoliciesFile,
    "channels": ChannelsFile,
    "rules": RulesFile,
    "rollups": RollupsFile,
    "sheets": SheetsFile,
    "campaigns": CampaignsFile,
}
